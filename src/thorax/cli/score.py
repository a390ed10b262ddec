"""`thorax score`: images through the same Predictor that is served."""
