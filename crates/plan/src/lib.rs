//! Bound query tree to plan: unnesting, join order, costs.
