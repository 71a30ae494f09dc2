"""What the files of a snapshot hold, examined before anything is calculated from it."""
