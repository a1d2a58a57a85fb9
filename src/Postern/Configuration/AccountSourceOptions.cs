using Postern.Configuration.Reading;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;

namespace Postern.Configuration;

/// <summary>One entry of <c>accounts</c>: a store that knows users.</summary>
/// <param name="Realm">Null for that of the others.</param>
internal sealed record AccountSourceOptions(string Uri, string? Realm, bool KeepsWeakForms = false)
{
    /// <summary>The key that an entry without keys stands for.</summary>
    public const string Shorthand = "uri";

    private static readonly Kind<bool> WeakForms = Kinds.Word(("replace", false), ("keep", true));

    public static AccountSourceOptions Read(Section section)
    {
        var options = new AccountSourceOptions(
            section.Required(Shorthand, Kinds.Text, "`directory`: the built-in database. `file:///path`: `user:password` a line, the password as it is or as `postern passwd` stores it. `digest:///path`: `user:realm:hash` a line, as `htdigest` and `postern passwd` write it. Files are read again when they change."),
            section.Value<string?>("realm", Kinds.Text!, fallback: null, "that of the other entries, else `server.hostname`", "The realm of DIGEST-MD5. It is part of every stored hash: set it, so that another host name does not make them all useless. One for all entries: most clients take the first that is offered."),
            section.Value("weak_forms", WeakForms, fallback: false, "`replace`", "Of `directory`: what becomes of a stored password whose form is weak, such as `{SSHA}` or `$1$`, when its user logs in. `replace`: it is kept as SCRAM-SHA-256 from then on. `keep`: it stays, for another program that reads it."));
        if (options.Uri is not null && AccountStores.WhyNot(options.ToSource("localhost")) is { } problem)
            section.Report(Shorthand, problem);
        if (options.Realm is { } realm && realm.AsSpan().ContainsAny(':', '"', '\\'))
            section.Report("realm", "a realm with a colon, a quotation mark or a backslash");
        return options;
    }

    /// <param name="realm">Where the entry names none.</param>
    public AccountSource ToSource(string realm) => new(Uri, Realm ?? realm) { KeepsWeakForms = KeepsWeakForms };
}
