package testpattern

import (
	"image"
	"math"
)

// colour is one pixel in full-range YCbCr (JFIF).
type colour struct{ y, cb, cr float64 }

// paintScene fills img with the landscape the camera looks at: sky with
// clouds, two ridges of hills and a meadow. The unit of all lengths is the
// height of the view, so the scene looks the same at every size.
func paintScene(img *image.YCbCr, viewHeight int) {
	unit := float64(viewHeight)
	for y := range img.Rect.Dy() {
		row := img.Y[y*img.YStride:][:img.Rect.Dx()]
		for x := range row {
			c := sceneAt(float64(x)/unit, float64(y)/unit)
			row[x] = clampLuma(c.y)
			if x%2 == 0 && y%2 == 0 {
				at := y/2*img.CStride + x/2
				img.Cb[at], img.Cr[at] = uint8(c.cb), uint8(c.cr)
			}
		}
	}
}

func sceneAt(x, y float64) colour {
	switch {
	case y > 0.62+0.05*valueNoise(x*2.3, 7):
		return meadow(x, y)
	case y > 0.52+0.10*valueNoise(x*3.1, 3):
		return hills(x, y, 96)
	case y > 0.36+0.16*valueNoise(x*1.7, 1):
		return hills(x, y, 128)
	default:
		return sky(x, y)
	}
}

func sky(x, y float64) colour {
	cloud := 0.65*valueNoise(x*3, y*7) + 0.35*valueNoise(x*11, y*19)
	white := math.Max(0, cloud-0.5) * 2
	return colour{y: 150 + 70*y + 60*white, cb: 158 - 28*white, cr: 108 + 18*white}
}

func hills(x, y, luma float64) colour {
	trees := valueNoise(x*38, y*46)
	return colour{y: luma + 24*trees - 30*(y-0.4), cb: 122, cr: 112 + 4*trees}
}

func meadow(x, y float64) colour {
	near := y - 0.5
	grass := valueNoise((x-0.9)*24/near, y*90)
	patch := valueNoise(x*4, y*9)
	return colour{y: 86 + 30*grass + 34*patch, cb: 96 + 8*patch, cr: 110 + 8*patch}
}

// clampLuma keeps room above for the grain, which is added without a carry.
func clampLuma(v float64) uint8 {
	return uint8(min(max(v, 16), 240))
}

// valueNoise is smooth noise in 0…1: a random value at every whole coordinate
// and a smooth passage between them.
func valueNoise(x, y float64) float64 {
	x0, y0 := math.Floor(x), math.Floor(y)
	fx, fy := smooth(x-x0), smooth(y-y0)
	ix, iy := int32(x0), int32(y0)
	top := lerp(lattice(ix, iy), lattice(ix+1, iy), fx)
	bottom := lerp(lattice(ix, iy+1), lattice(ix+1, iy+1), fx)
	return lerp(top, bottom, fy)
}

func smooth(t float64) float64 { return t * t * (3 - 2*t) }

func lerp(a, b, t float64) float64 { return a + (b-a)*t }

// lattice is the fixed random value, 0…1, of a whole coordinate.
func lattice(x, y int32) float64 {
	h := uint32(x)*0x9e3779b1 ^ uint32(y)*0x85ebca77 //nolint:gosec // G115: hashing, the sign is only a bit
	h = (h ^ h>>15) * 0x2c1b3c6d
	h = (h ^ h>>12) * 0x297a2d39
	return float64(h>>8) / (1 << 24)
}
