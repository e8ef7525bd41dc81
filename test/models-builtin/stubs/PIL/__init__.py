"""Stands in for Pillow: a picture is any file that begins and ends like a JPEG."""
