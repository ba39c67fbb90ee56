"""RFM, value, behaviour, life cycle, movement and leaving: pure functions over frames."""
