"""From events to rows and figures; pure."""
