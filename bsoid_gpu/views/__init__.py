"""What people look at: the report page, grid movies, labelled videos and clips."""
