//! Inference on small ports written for these tests.
