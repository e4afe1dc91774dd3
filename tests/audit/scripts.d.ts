// What one of the audit's scripts leaves for the next, in the world that only they share.
declare var placetDrawn: any;
declare var placetPaint: any;
declare var placetControls: any;
