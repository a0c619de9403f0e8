"""certificates hears nothing itself: the certification process, which stands above, hears `enrollment.completed`."""
