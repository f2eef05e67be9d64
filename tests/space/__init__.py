"""What a hosted Space does to the app, acted on one's own machine."""
