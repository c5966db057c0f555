// Package testpattern draws a moving test picture that carries a stamp a
// machine can read back: the frame's number and the time it was captured. The
// synthetic camera draws it, and whoever receives the video (a Go peer or a
// browser) reads it to count lost frames and to measure latency.
//
// # The stamp
//
// The stamp is 128 bits, sixteen bytes in network order:
//
//	byte  0…3   number    uint32, the frame's number
//	byte  4…11  captured  int64, capture time, microseconds since the Unix epoch
//	byte 12…15  checksum  CRC-32 (IEEE) of the four bytes "WIMZ" and bytes 0…11
//
// It is drawn as 32 columns by 4 rows of cells near the picture's lower edge.
// Bit i, counted from the most significant bit of byte 0, is the cell in row
// i/32 (from the top) and column i%32 (from the left); a light cell is 1 and a
// dark cell is 0, the border between them is luma 128. The grid is relative to
// the picture, so scaling the picture does not move it. With w and h the
// picture's size, in whole pixels rounded down, cell (column, row) covers
//
//	x from w*(4+column)/40  to  w*(5+column)/40
//	y from h*(36+2*row)/45  to  h*(38+2*row)/45
//
// which at 1280x720 is a square of 32 pixels, two macroblocks wide. A reader
// averages the middle of each cell, because codecs smear the edges. Pictures
// smaller than 160x90 have no room for a stamp.
//
// # Reading it in a browser
//
// Drawn onto a canvas of 160x90 every cell is 4x4 pixels, and the stamp begins
// at (16, 72):
//
//	const canvas = document.createElement('canvas');
//	canvas.width = 160; canvas.height = 90;
//	const context = canvas.getContext('2d', {willReadFrequently: true});
//
//	function readStamp(video) {
//	  context.drawImage(video, 0, 0, 160, 90);
//	  const pixels = context.getImageData(16, 72, 128, 16).data;
//	  const green = (x, y) => pixels[(y * 128 + x) * 4 + 1];
//	  const stamp = new DataView(new ArrayBuffer(16));
//	  for (let i = 0; i < 128; i++) {
//	    const x = (i % 32) * 4 + 1, y = (i >> 5) * 4 + 1;
//	    const sum = green(x, y) + green(x + 1, y) + green(x, y + 1) + green(x + 1, y + 1);
//	    if (sum >= 4 * 128) stamp.setUint8(i >> 3, stamp.getUint8(i >> 3) | 0x80 >> (i & 7));
//	  }
//	  let crc = ~0;
//	  for (const byte of [0x57, 0x49, 0x4d, 0x5a, ...new Uint8Array(stamp.buffer, 0, 12)]) {
//	    crc ^= byte;
//	    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
//	  }
//	  if ((~crc >>> 0) !== stamp.getUint32(12)) return null;
//	  return {number: stamp.getUint32(0), capturedMs: Number(stamp.getBigInt64(4)) / 1000};
//	}
package testpattern
