package assemble

import "github.com/pion/rtp"

// consume takes the next packet in order and appends the unit it completes.
func (a *Assembler) consume(p *rtp.Packet, units []Unit) []Unit {
	if len(p.Payload) == 0 {
		return units // padding, sent to probe the bandwidth
	}
	turned := p.Timestamp != a.timestamp
	if a.open && turned { // the last one had no marker bit; nothing is missing all the same
		units = a.finish(units)
	}
	first := a.adjacent && (turned || a.marked)
	a.adjacent, a.timestamp, a.marked = true, p.Timestamp, p.Marker
	a.add(p, first)
	if a.open && p.Marker {
		units = a.finish(units)
	}
	return units
}

// add appends the packet's payload to the open unit, or begins one if the
// packet is the first of a picture.
func (a *Assembler) add(p *rtp.Packet, first bool) {
	key := a.format.startsKey(p.Payload)
	if !a.open {
		if !first && !key {
			return
		}
		a.open = true
		a.unit = Unit{Timestamp: p.Timestamp, AfterLoss: a.lost}
	}
	data, err := a.depacketizer.Unmarshal(p.Payload)
	if err != nil || len(a.unit.Data)+len(data) > maxUnit {
		a.abandon()
		return
	}
	a.unit.Key = a.unit.Key || key
	a.unit.Data = append(a.unit.Data, data...)
}

// finish appends the open unit and closes it.
func (a *Assembler) finish(units []Unit) []Unit {
	unit := a.unit
	a.unit, a.open = Unit{}, false
	if len(unit.Data) == 0 {
		return units
	}
	a.lost = false
	return append(units, unit)
}

// abandon forgets the picture that cannot be completed. The next one begins
// where its first packet is known for sure.
func (a *Assembler) abandon() {
	a.depacketizer = a.format.depacketizer()
	a.unit, a.open, a.lost, a.adjacent = Unit{}, false, true, false
}
