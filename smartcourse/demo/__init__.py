"""Demo content: four courses, the people in them, and the reader that checks both before anything is loaded."""
