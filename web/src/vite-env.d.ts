/// <reference types="vite/client" />

declare module 'virtual:words/*' {
  const catalogue: Record<string, Record<string, unknown>>;
  export default catalogue;
}
