// What is generated for an instruction: where its fields lie, its struct, its
// place in the manual and the hooks of its operation.

// RUN: serrano-tblgen -gen-isa-instructions %s -I %source -I %mlir_include | FileCheck %s
// RUN: serrano-tblgen -gen-isa-enums %s -I %source -I %mlir_include | FileCheck %s --check-prefix ENUMS
// RUN: serrano-tblgen -gen-isa-operations %s -I %source -I %mlir_include | FileCheck %s --check-prefix OPERATIONS
// RUN: serrano-tblgen -gen-isa-manual %s -I %source -I %mlir_include | FileCheck %s --check-prefix MANUAL

include "dialects/Isa/IsaFormat.td"

// ENUMS:      enum class Shape : uint8_t {
// ENUMS-NEXT:   Round = 0, ///< without corners
// ENUMS-NEXT:   VerySquare2 = 1, ///< with four
// ENUMS:        static constexpr std::string_view cases[] = {"round", "very_square2"};
// ENUMS:      constexpr std::string_view stringify(Shape value) {
// ENUMS:      constexpr std::optional<Shape> parseShape(std::string_view text) {
def ShapeEnum : IsaEnum<"Shape", 3, ["round", "very_square2"], ["without corners", "with four"]>;

// A tile does not fit beside the opcode, the waits and the signal (8 + 2 * 16 +
// 7 bits), so it starts the next word; what follows starts the one after.
//
// CHECK:      /// draw a "thing"
// CHECK-NEXT: struct Draw {
// CHECK-NEXT:   static constexpr std::string_view mnemonic = "x.draw";
// CHECK-NEXT:   static constexpr uint8_t opcode = 0x42;
// CHECK-NEXT:   static constexpr unsigned words = 3;
// CHECK-NEXT:   static constexpr Queue queue = Queue::Vector;
// CHECK:        Wait wait0{}; ///< first wait
// CHECK:        Tile dst{}; ///< where
// CHECK-NEXT:   Shape shape{}; ///< which
// CHECK-NEXT:   bool filled = false; ///< or not
// CHECK-NEXT:   float width = 0; ///< of the line
// CHECK:          fn(FieldInfo{"wait0", 0, 8, 16}, self.wait0);
// CHECK-NEXT:     fn(FieldInfo{"wait1", 0, 24, 16}, self.wait1);
// CHECK-NEXT:     fn(FieldInfo{"signal", 0, 40, 7}, self.signal);
// CHECK-NEXT:     fn(FieldInfo{"dst", 1, 0, 64}, self.dst);
// CHECK-NEXT:     fn(FieldInfo{"shape", 2, 0, 3}, self.shape);
// CHECK-NEXT:     fn(FieldInfo{"filled", 2, 3, 1}, self.filled);
// CHECK-NEXT:     fn(FieldInfo{"width", 2, 4, 32}, self.width);
// CHECK:      using Instruction = std::variant<
// CHECK-NEXT:     Draw>;
// CHECK:        {"x.draw", 0x42, 3, Queue::Vector, "draw a \"thing\""},
//
// OPERATIONS: ParseResult Draw::parse
// OPERATIONS: void Draw::print
// OPERATIONS: LogicalResult Draw::verify
//
// MANUAL:      | 0x42 | [`x.draw`](#draw) | vector | 3 | draw a "thing" |
// MANUAL:      ### `x.draw`
// MANUAL:      Draws | nothing else.
// MANUAL:      Queue: `vector`. Cost: one day.
// MANUAL:      | 2 | 2..0 | `shape` | Shape | which |
// MANUAL:      ### Shape
// MANUAL:      | 1 | `very_square2` | with four |
def Draw : Engine<"x.draw", 0x42, VectorQueue, [
    TileField<"dst", "where">, Field<EnumKind<ShapeEnum>, "shape", "which">,
    Flag<"filled", "or not">, Field<FloatKind, "width", "of the line">]> {
  let summary = "draw a \"thing\"";
  let description = [{ Draws | nothing else. }];
  let Cost = "one day";
}
