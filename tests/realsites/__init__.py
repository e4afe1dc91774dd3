"""Sites that nobody here wrote, from Debian's packages, unchanged, with Placet's proxy in front."""
