"""What a model's codes tell: maps of them, paths between them, who lies next to whom. Arrays in, arrays out."""
