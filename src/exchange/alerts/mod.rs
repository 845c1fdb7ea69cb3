//! Alerts and sightings that sensors report.
