//! Our container runtime. Today: the validated content digest that everything content-addressed is named by.

pub mod content;
