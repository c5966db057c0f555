package camera

// newest holds one picture, the last that was put into it. It has one writer and
// one reader.
type newest chan *timedPicture

func newNewest() newest { return make(newest, 1) }

// put replaces the picture that nobody has taken.
func (n newest) put(p *timedPicture) {
	select {
	case old := <-n:
		old.release()
	default:
	}
	n <- p // there is room: nobody else puts
}
