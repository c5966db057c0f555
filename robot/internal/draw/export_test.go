package draw

// Remembered is how many glyphs a font keeps.
func (f *Font) Remembered() int { return len(f.glyphs) }
