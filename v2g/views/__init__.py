"""Views: messages as people read and write them, in JSON, in XML and as a tree."""
