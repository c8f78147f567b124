"""What codings say together: who tells what, when, beside what, and what is still unheard."""
