using Postern.Configuration.Reading;
using Postern.Relay.Dkim.Arc;
using Postern.Smtp.Grammar;

namespace Postern.Configuration.Forwarding;

/// <summary><c>delivery.arc</c>: how mail that is forwarded is sealed.</summary>
/// <param name="Domain">Null: only what was for a domain with a key is.</param>
internal sealed record ArcSection(bool Seals, Domain? Domain)
{
    public static ArcSection Read(Section section) => new(
        section.Value(
            "seal",
            Kinds.Word(("true", true), ("false", false)),
            fallback: true,
            "true",
            "Mail from outside that an alias, a forward or a list sends on to a domain that is not ours gets an ARC set, where the domain "
                + "that it was for has an active RSA key of `postern dkim`. `false`: never."),
        section.Value<Domain?>(
            "domain",
            Kinds.DomainName!,
            fallback: null,
            "none",
            "Whose active RSA key seals where the domain that the mail was for has none."));

    public ArcOptions ToEngine() => new() { Seals = Seals, Domain = Domain };
}
