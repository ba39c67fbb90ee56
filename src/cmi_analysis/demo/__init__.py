"""The demo book: a made-up supplier whose customers keep their own stock, with the truth known.

Weekly sell-out dated on the Monday, weekly stock dated on the Sunday that ends the week (at close), orders and deliveries with
real days, 156 weeks from Monday 2023-07-03 to Sunday 2026-06-28. Open things on that day are open in the tables: an order without
`delivered_on`, a receipt without `received_on` (its `receipt_id` is `<po_id>-<line>`). Everything ties out: deliveries add up to
`quantity_delivered` and to `stock.received`; stock = last stock + received − issued + adjusted (`adjusted` holds goods returned,
moved to another site, found by a count); own stock = last + receipts − shipments (returned goods are not put back).
`orders.cancelled_by` is ``customer`` or ``supplier`` (us); `adjustments.quantity` is the change, not the new value.

What is planted, with the frame of `Demo.truth` (files of `truth/`) that says where:

===================  ====================================================================================  =====================
planted              what it is                                                                            truth
===================  ====================================================================================  =====================
season               cosine over 52 weeks: Beverages ±45 % (peak week 28), Heating ±45 % (week 2),         seasons
                     Gifts ±35 % (week 49), Hygiene flat
market               slow common shock on all demand; also `drivers` market_index                          market
promotions           two weeks, lift 1.5–2.2 on expected demand, then two weeks at 0.85                    promotions
demand class         each series drawn smooth, erratic, intermittent or lumpy                              series
stock-outs           sales = min(demand, what was there); the demand lost is known                         demand (not large)
leaving              a customer: from 2026-01-26 few orders, demand to nothing within 8 weeks              roles
biased_forecast      a customer whose forecast is 1.30 × expected demand                                   roles
batching             a customer that orders every 8 weeks, at least 4 packs                                roles
understocked         a customer with too low levels: frequent stock-outs                                   roles
overstocked          a customer with far too high levels                                                   roles
poor_sharing         a customer whose data come late (45 %) or never (12 %)                                roles
late supplier        late 36 % of lines against 6.5 % of the others (all: 11.5 %)                          roles, suppliers
new product          listed 2025-10-20, launched 2025-11-03, replaces the ending one                       roles
ending product       demand fades from 2025-06-30 to nothing on 2025-12-01                                 roles
short supply         three products: suppliers deliver 5 % from 2025-03-24 to 2025-07-27                   short_supply
returns              about 7 % of value delivered goes back a week later                                   table returns
control difference   the ledger's deliveries of 2026-04 are 120 units above the tables                     control_differences
dirty rows           in written files only: unknown customer, negative quantity, impossible date,          dirty
                     duplicate, text in a number; added at the end of sales, orders, stock
===================  ====================================================================================  =====================

In the large book, written in parts, the first 12 of a group's 90 customers send us sell-out, stock and forecasts (`sales`,
`stock`, `customer_forecasts`, `feeds`), every planted customer among them; of the others we have what we sold them.

Every customer, product and supplier draws from its own random stream, so one more customer changes nobody else's demand, terms or
errors (only what they all get from a short warehouse).
"""

from cmi_analysis.demo.book import Demo, make_demo
from cmi_analysis.demo.writing import write_demo

__all__ = ["Demo", "make_demo", "write_demo"]
