//! Pulses as files for other programs.
