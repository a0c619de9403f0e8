"""What somebody would try who means harm; README.md says which test refuses what."""
