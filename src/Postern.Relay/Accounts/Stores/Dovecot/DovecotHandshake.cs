using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Postern.Relay.Accounts.Dovecot;

namespace Postern.Relay.Accounts.Stores.Dovecot;

/// <summary>What Dovecot says of itself before it is asked anything: its version, its mechanisms, and that this is all.</summary>
internal sealed class DovecotHandshake
{
    private const int MajorVersion = 1;

    /// <summary>More than it has; what stands before the end of a handshake has one, too.</summary>
    private const int MostLines = 200;

    private const int MostName = 20;

    private readonly ImmutableArray<DovecotMechanism>.Builder mechanisms = ImmutableArray.CreateBuilder<DovecotMechanism>();
    private int lines;
    private bool hasVersion;

    /// <summary>It is over, and nothing was wrong.</summary>
    public bool IsOver { get; private set; }

    /// <summary>What it offers, in its order.</summary>
    public ImmutableArray<DovecotMechanism> Mechanisms => mechanisms.ToImmutable();

    /// <summary>Takes one line; answers why this is no service to ask, or null.</summary>
    public string? Take(ReadOnlySpan<byte> line)
    {
        if (++lines > MostLines)
            return "it does not come to an end of saying what it offers";
        var fields = new AuthFields(line);
        _ = fields.TryTake(out var word);
        if (!hasVersion)
            return TakeVersion(word, fields);
        if (word.SequenceEqual("MECH"u8))
            return TakeMechanism(fields);
        if (word.SequenceEqual("SPID"u8) && mechanisms.Count == 0)
            return "it names no mechanism: that is the socket for Dovecot's own services (auth-userdb, auth-master), and logins are asked "
                + "about at auth-client";
        if (word.SequenceEqual("DONE"u8))
            IsOver = true;
        return null; // SPID, CUID, COOKIE, and what newer ones say
    }

    private string? TakeVersion(ReadOnlySpan<byte> word, AuthFields fields)
    {
        if (!word.SequenceEqual("VERSION"u8))
            return "what is there is not Dovecot's authentication service: it does not begin with its version";
        hasVersion = true;
        _ = fields.TryTake(out var major);
        return int.TryParse(major, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number == MajorVersion
            ? null
            : "it speaks another version of the protocol than 1";
    }

    private string? TakeMechanism(AuthFields fields)
    {
        if (!fields.TryTake(out var field) || field.Length is 0 or > MostName)
            return "it names a mechanism without a name";
        var mechanism = new DovecotMechanism(Encoding.ASCII.GetString(field).ToUpperInvariant());
        while (fields.TryTake(out var trait))
        {
            mechanism = mechanism with
            {
                IsPlaintext = mechanism.IsPlaintext || trait.SequenceEqual("plaintext"u8),
                IsAnonymous = mechanism.IsAnonymous || trait.SequenceEqual("anonymous"u8),
                IsWeak = mechanism.IsWeak || trait.SequenceEqual("dictionary"u8) || trait.SequenceEqual("active"u8),
                IsPrivate = mechanism.IsPrivate || trait.SequenceEqual("private"u8),
            };
        }

        mechanisms.Add(mechanism);
        return null;
    }
}

/// <summary>A mechanism that Dovecot offers, and what it says of it.</summary>
/// <param name="Name">In upper case.</param>
internal sealed record DovecotMechanism(string Name)
{
    /// <summary>Whoever listens learns the secret.</summary>
    public bool IsPlaintext { get; init; }

    public bool IsAnonymous { get; init; }

    /// <summary>Whoever listens, or stands between, can guess the secret.</summary>
    public bool IsWeak { get; init; }

    /// <summary>Not to be told to clients.</summary>
    public bool IsPrivate { get; init; }
}
