"""What the notebooks import: background servers, a recording wire, pictures and checks."""
