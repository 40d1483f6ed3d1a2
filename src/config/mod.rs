//! Files a node is configured by.
