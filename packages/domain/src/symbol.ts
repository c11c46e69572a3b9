/** A ticker of one to six letters, with an optional share class (`AAPL`, `BRK.B`). For JSON Schema `pattern`. */
export const SYMBOL_PATTERN = '^[A-Z]{1,6}(\\.[A-Z])?$';
