"""Arrays to Plotly figures: pure functions and the one palette."""
