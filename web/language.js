// The texts of the pages that exist in English and German, and the language of the page that is shown.

/** The texts by language and key. `{name}` stands for a value. */
const TEXTS = {
  en: {
    skip: "Skip to content",
    documentation: "API documentation",
    email: "Email",
    code: "Code",
    "code.hint": "8 letters and digits from the mail",
    "code.incomplete": "must be 8 letters and digits",
    "code.invalid": "The code is wrong, or it was used or has expired. After five wrong codes, request a new mail",
    password: "New password",
    "password.hint": "at least 8 characters",
    "password.set": "Set password",
    "password.setting": "Setting your password…",
    "password.effect": "The new password signs out every other device.",
    "forgot.link": "Forgot your password?",
    "forgot.title": "Forgot your password",
    "forgot.intro": "Enter the email address of your account. We send you a mail to choose a new password.",
    "forgot.send": "Send mail",
    "forgot.sending": "Sending…",
    "forgot.back": "Back to sign in",
    "sent.title": "Read your mail",
    "sent.notice": "If an account exists for {email}, we have sent a mail to this address. Open its link, or enter its code here.",
    "sent.again": "Send another mail",
    "sent.hint": "No mail after a few minutes? Look into the folder for spam, and check the address.",
    "sent.other": "Use another address",
    "sent.repeated": "If an account exists for {email}, we have sent another mail. Use the code of the newest mail.",
    "reset.title": "Choose a new password",
    "reset.failed": "This link does not work",
    "reset.incomplete": "This address is incomplete. Open the link in your mail again, or request a new mail.",
    "reset.invalid": "The link was used already or has expired. If you have chosen a password with it, sign in; if not, request a new mail.",
    "reset.again": "Request a new mail",
    "sign-in": "Sign in",
    retry: "Try again",
    "retry.soon": "Please try again shortly.",
    "retry.seconds": "Please try again in {count} s.",
    "retry.minutes": "Please try again in {count} minutes.",
    unreachable: "The server cannot be reached.",
    offline: "You are offline.",
    "offline.notice": "You are offline. What you type stays here.",
    "online.notice": "You are online again.",
    close: "Close",
    origin: "The server does not know this address as its own. Its operator can set PUBLIC_URL to {origin}.",
  },
  de: {
    skip: "Zum Inhalt springen",
    documentation: "API-Dokumentation",
    email: "E-Mail-Adresse",
    code: "Code",
    "code.hint": "8 Buchstaben und Ziffern aus der E-Mail",
    "code.incomplete": "muss 8 Buchstaben und Ziffern haben",
    "code.invalid": "Der Code ist falsch, verwendet oder abgelaufen. Fordern Sie nach fünf falschen Codes eine neue E-Mail an",
    password: "Neues Passwort",
    "password.hint": "mindestens 8 Zeichen",
    "password.set": "Passwort speichern",
    "password.setting": "Passwort wird gespeichert…",
    "password.effect": "Mit dem neuen Passwort werden alle anderen Geräte abgemeldet.",
    "forgot.link": "Passwort vergessen?",
    "forgot.title": "Passwort vergessen",
    "forgot.intro": "Geben Sie die E-Mail-Adresse Ihres Kontos ein. Wir senden Ihnen eine E-Mail, mit der Sie ein neues Passwort wählen.",
    "forgot.send": "E-Mail senden",
    "forgot.sending": "Wird gesendet…",
    "forgot.back": "Zurück zur Anmeldung",
    "sent.title": "Lesen Sie Ihre E-Mails",
    "sent.notice": "Wenn es ein Konto für {email} gibt, haben wir eine E-Mail an diese Adresse gesendet. Öffnen Sie den Link darin, oder geben Sie den Code hier ein.",
    "sent.again": "Weitere E-Mail senden",
    "sent.hint": "Nach einigen Minuten keine E-Mail? Sehen Sie im Spam-Ordner nach, und prüfen Sie die Adresse.",
    "sent.other": "Andere Adresse verwenden",
    "sent.repeated": "Wenn es ein Konto für {email} gibt, haben wir eine weitere E-Mail gesendet. Verwenden Sie den Code der neuesten E-Mail.",
    "reset.title": "Neues Passwort wählen",
    "reset.failed": "Dieser Link funktioniert nicht",
    "reset.incomplete": "Diese Adresse ist unvollständig. Öffnen Sie den Link in der E-Mail noch einmal, oder fordern Sie eine neue E-Mail an.",
    "reset.invalid": "Der Link wurde schon verwendet oder ist abgelaufen. Wenn Sie mit ihm ein Passwort gewählt haben, melden Sie sich an; sonst fordern Sie eine neue E-Mail an.",
    "reset.again": "Neue E-Mail anfordern",
    "sign-in": "Anmelden",
    retry: "Noch einmal versuchen",
    "retry.soon": "Bitte versuchen Sie es gleich noch einmal.",
    "retry.seconds": "Bitte versuchen Sie es in {count} s noch einmal.",
    "retry.minutes": "Bitte versuchen Sie es in {count} Minuten noch einmal.",
    unreachable: "Der Server ist nicht erreichbar.",
    offline: "Sie sind offline.",
    "offline.notice": "Sie sind offline. Ihre Eingaben bleiben hier stehen.",
    "online.notice": "Sie sind wieder online.",
    close: "Schließen",
    origin: "Der Server kennt diese Adresse nicht als seine eigene. Sein Betreiber kann PUBLIC_URL auf {origin} setzen.",
  },
};

/** The server's messages are English. These replace them in another language, by the code of the error or the field. */
const SERVER_MESSAGES = {
  en: {},
  de: {
    required: "fehlt",
    invalid_email: "ist ungültig",
    too_long: "ist zu lang",
    invalid_character: "enthält ein Zeichen, das nicht erlaubt ist",
    unacceptable_password: "muss 8 bis 128 Zeichen haben",
    common_password: "gehört zu den Passwörtern, die zuerst geraten werden; wählen Sie ein anderes",
    VALIDATION_ERROR: "Einige Angaben sind ungültig",
    TOO_MANY_REQUESTS: "Zu viele Anfragen",
    OVERLOADED: "Der Server ist überlastet",
    DATABASE_UNAVAILABLE: "Der Server ist gerade nicht bereit",
    INTERNAL_SERVER_ERROR: "Der Server hat einen Fehler",
    REQUEST_TIMEOUT: "Die Anfrage kam nicht rechtzeitig an",
    NO_COOKIES: "Ihr Browser speichert unsere Cookies nicht. Erlauben Sie Cookies für diese Seite, und melden Sie sich an",
  },
};

/** The first of the browser's languages that has texts; English if none has. */
export const browserLanguage =
  navigator.languages.map((tag) => tag.toLowerCase().split("-")[0]).find((language) => Object.hasOwn(TEXTS, language)) ?? "en";

/** The language of the page that is shown. */
let current = "en";

/** The text of the key, with its values, in the language of the page or in another one. */
export const text = (key, values = {}, language = current) =>
  TEXTS[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** The text of an error of the server, or of one of its fields. */
export const serverMessage = ({ code, message }) =>
  Object.hasOwn(SERVER_MESSAGES[current], code) ? SERVER_MESSAGES[current][code] : message;

/** Writes the texts into the elements that name a key. */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const button of root.querySelectorAll("[data-busy-text]")) button.dataset.busy = text(button.dataset.busyText);
  return root;
}

/** Changes the language of the page and of what surrounds it. */
export function setLanguage(language) {
  current = language;
  document.documentElement.lang = language;
  translate(document.body);
}
