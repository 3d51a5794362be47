// Declarations that the recipes expect from the surrounding program.
declare const email: string;
declare const password: string;
declare const code: string;
declare function showSignIn(message?: unknown): void;

declare module "next/headers" {
  export function headers(): Promise<Headers>;
}

// Expo's keychain.
declare const SecureStore: {
  getItemAsync(key: string): Promise<string | null>;
  setItemAsync(key: string, value: string): Promise<void>;
};

declare const module: { exports: unknown };
