//! The terminal app: one event channel, `update` is a function, `view` draws from `&`.
