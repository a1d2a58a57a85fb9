using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text;

namespace Postern.Smtp.Session;

/// <summary>What a trusted peer says of a client by XCLIENT or XFORWARD. Null is what it did not say, or said to be unavailable.</summary>
public sealed record PeerClaims
{
    /// <summary>Nothing was said.</summary>
    public static PeerClaims None { get; } = new();

    /// <summary>The client's host name.</summary>
    public string? Name { get; init; }

    /// <summary>The client's address; an IPv4-mapped one is IPv4.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>It was said that nobody knows the client's address.</summary>
    public bool IsAddressUnknown { get; init; }

    /// <summary>The client's port.</summary>
    public int? Port { get; init; }

    /// <summary>SMTP or ESMTP.</summary>
    public string? Protocol { get; init; }

    /// <summary>What the client called itself in EHLO or HELO.</summary>
    public string? Helo { get; init; }

    /// <summary>As whom the client has logged in at the peer.</summary>
    public string? Login { get; init; }

    /// <summary>Where the client connected to.</summary>
    public IPAddress? ServerAddress { get; init; }

    /// <summary>The port there.</summary>
    public int? ServerPort { get; init; }

    /// <summary>The message's name in the peer's log.</summary>
    public string? Ident { get; init; }

    /// <summary>LOCAL or REMOTE.</summary>
    public string? Source { get; init; }

    /// <summary>
    /// What is known, as <c>NAME=value</c> pairs of XCLIENT and XFORWARD, values in xtext; <see cref="TryParse"/> reads it.
    /// </summary>
    public string ToAttributes() => PeerAttributes.Write(this);

    /// <summary>Reads what <see cref="ToAttributes"/> wrote. False where one name or value is not as it must be.</summary>
    public static bool TryParse(string attributes, [NotNullWhen(true)] out PeerClaims? claims)
    {
        claims = None;
        if (PeerAttributes.TryRead(Encoding.ASCII.GetBytes(attributes), static _ => true, ref claims))
            return true;
        claims = null;
        return false;
    }

    /// <summary>For a log: <c>name[address]:port helo=… proto=…</c>, without what is not known.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Name);
        if (Address is not null)
            text.Append('[').Append(Address).Append(']');
        if (Port is { } port)
            text.Append(CultureInfo.InvariantCulture, $":{port}");
        Add("helo", Helo);
        Add("proto", Protocol);
        Add("login", Login);
        Add("ident", Ident);
        Add("source", Source);
        Add("destination", ServerAddress?.ToString());
        return text.ToString();

        void Add(string name, string? value)
        {
            if (value is not null)
                text.Append(text.Length == 0 ? "" : " ").Append(name).Append('=').Append(value);
        }
    }
}

/// <summary>What a peer may say of others, by its address.</summary>
[Flags]
internal enum PeerTrust
{
    None = 0,

    /// <summary>It may use XCLIENT.</summary>
    XClient = 1,

    /// <summary>It may use XFORWARD.</summary>
    XForward = 2,

    /// <summary>It may use XVERP.</summary>
    XVerp = 4,

    All = XClient | XForward | XVerp,
}
