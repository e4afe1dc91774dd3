// A script that nobody declared: it only has to be asked for, the request has already said enough.
window.tardif = true;
