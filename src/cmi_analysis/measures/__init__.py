"""What several domains share: calendar, demand pattern, ABC, accuracy, service, lead time, intervals, distance."""
