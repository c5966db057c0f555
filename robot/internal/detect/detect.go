// Package detect is what the robot's detector sees: objects with their boxes,
// names, behaviour and poses, as they come from another process ([Decode],
// [Serve]) and as the overlay takes them ([Board]). All positions are fractions of
// the picture, from its upper left corner, so that they hold for every size it is sent
// in.
package detect

import (
	"sync"
	"time"
)

// PoseLen is how many points a pose has: nose, eyes, ears, shoulders, elbows,
// wrists, hips, knees, ankles, each left before right, the order of COCO's
// keypoints.
const PoseLen = 17

// Box is a rectangle in the picture: its upper left corner and its size.
type Box struct{ X, Y, W, H float32 }

// Keypoint is one point of a pose. Its confidence is 0…1; 0 says that it is not seen.
type Keypoint struct{ X, Y, Confidence float32 }

// Object is one thing that was detected.
type Object struct {
	Class      string // what it is: dog
	Name       string // which one it is, if that is known
	Confidence float32
	Box        Box
	Behaviour  string     // what it does, if that is known
	Pose       []Keypoint // none or PoseLen
}

// Set is all that was seen in one picture. Whoever has it may read it; nobody
// changes it.
type Set struct {
	At      time.Time // when the picture was taken, with a monotonic reading
	Mode    string    // what the robot is about, for the banner
	Objects []Object
}

// Board holds the newest detections: the last that were put. Its zero value is
// empty and ready; its methods may be called from any goroutine.
type Board struct {
	mu     sync.Mutex
	newest Set
}

// Put replaces what is on the board. The caller gives s away.
func (b *Board) Put(s Set) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.newest = s
}

// Newest returns what is on the board, however old: see [Set.At].
func (b *Board) Newest() Set {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.newest
}
