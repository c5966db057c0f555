package link

import "time"

// train is two packets that waited one behind the other.
type train struct {
	bits int           // of the second
	took time.Duration // from the first's arrival until the second's
}

// pace is how fast packets come that wait one behind the other, in kilobits a second;
// 0 if there are too few to say. The longest wait does not count: the program that
// read them may have had to wait for the processor.
func pace(trains []train) (kbps int) {
	var sum, longest train
	for _, t := range trains {
		sum.bits += t.bits
		sum.took += t.took
		if t.took >= longest.took {
			longest = t
		}
	}
	return int(float64(sum.bits-longest.bits) / bitsPerKbit / max(sum.took-longest.took, time.Millisecond).Seconds())
}
