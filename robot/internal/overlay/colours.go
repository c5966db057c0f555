package overlay

import "wimz.dev/live/robot/internal/draw"

// What is written is dark on light or light on dark. (Luma stays within 16…235, so
// that it is the same for who takes the picture for limited range.)
//
//nolint:gochecknoglobals // colours, as constants
var (
	ink   = draw.Colour{Y: 20, Cb: 128, Cr: 128}
	paper = draw.Colour{Y: 232, Cb: 128, Cr: 128}
	faint = draw.Colour{Y: 150, Cb: 128, Cr: 128}

	// palette has bright colours that are told apart, dark text being readable on
	// each.
	palette = [...]draw.Colour{
		draw.RGB(86, 212, 96),   // green
		draw.RGB(255, 179, 36),  // orange
		draw.RGB(84, 190, 255),  // sky
		draw.RGB(255, 128, 171), // pink
		draw.RGB(240, 228, 66),  // yellow
		draw.RGB(64, 224, 208),  // turquoise
		draw.RGB(197, 160, 255), // violet
		draw.RGB(255, 138, 101), // coral
	}
)

// colourOf returns the colour of a class, always the same one.
func colourOf(class string) draw.Colour {
	hash := uint32(2166136261) // FNV-1a
	for i := range len(class) {
		hash = (hash ^ uint32(class[i])) * 16777619
	}
	return palette[hash%uint32(len(palette))]
}
