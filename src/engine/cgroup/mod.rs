//! Control groups: v1, hybrid and v2, made and read directly (driver cgroupfs).
