using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Postern.Relay.Accounts;
using Postern.Relay.Policy.Devices;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Limits;

/// <summary>Whose use is counted together.</summary>
public enum LimitScope
{
    /// <summary>Of the account whose credential logged in, whomever it acts for.</summary>
    Logins,

    /// <summary>Of one secret of an account of the directory: <c>lisa@example.org#7</c>.</summary>
    Credentials,
    Tenants,

    /// <summary>Of an IPv4 address, or of an IPv6 /64.</summary>
    Addresses,

    /// <summary>Of the client's network, as wide as it is configured.</summary>
    Networks,

    /// <summary>Of the domain of the envelope's sender. The null sender has none.</summary>
    Senders,

    /// <summary>Of the domain of the recipient.</summary>
    Domains,

    /// <summary>Of one device of an entry of <c>devices</c>: <c>scanners/10.0.4.7</c>.</summary>
    Devices,
}

/// <summary>What is counted.</summary>
public enum LimitThing
{
    /// <summary>That were accepted.</summary>
    Messages,

    /// <summary>That were accepted, each as often as it was named.</summary>
    Recipients,

    /// <summary>Octets of the content that was accepted.</summary>
    Bytes,

    /// <summary>Recipients that differ. One counts until it was not written to for the whole time.</summary>
    DistinctRecipients,

    /// <summary>Recipients that were refused for good here (5xx, but not 530) or by their own server.</summary>
    FailedRecipients,

    /// <summary>Sessions that came as far as MAIL.</summary>
    Connections,

    /// <summary>The same, at once.</summary>
    Concurrency,
}

/// <summary>The words of the configuration, and what people read.</summary>
public static class LimitWords
{
    private static readonly FrozenDictionary<LimitScope, (string Word, string Whose)> Scopes = new Dictionary<LimitScope, (string, string)>
    {
        [LimitScope.Logins] = ("logins", "login"),
        [LimitScope.Credentials] = ("credentials", "credential"),
        [LimitScope.Tenants] = ("tenants", "tenant"),
        [LimitScope.Addresses] = ("addresses", "client address"),
        [LimitScope.Networks] = ("networks", "client network"),
        [LimitScope.Senders] = ("senders", "sender domain"),
        [LimitScope.Domains] = ("domains", "recipient domain"),
        [LimitScope.Devices] = ("devices", "device"),
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<LimitThing, (string Word, string Things)> Things = new Dictionary<LimitThing, (string, string)>
    {
        [LimitThing.Messages] = ("messages", "messages"),
        [LimitThing.Recipients] = ("recipients", "recipients"),
        [LimitThing.Bytes] = ("bytes", "octets"),
        [LimitThing.DistinctRecipients] = ("distinct_recipients", "different recipients"),
        [LimitThing.FailedRecipients] = ("failed_recipients", "failed recipients"),
        [LimitThing.Connections] = ("connections", "sessions"),
        [LimitThing.Concurrency] = ("concurrency", "sessions at once"),
    }.ToFrozenDictionary();

    public static IEnumerable<LimitScope> AllScopes => Enum.GetValues<LimitScope>();

    public static IEnumerable<LimitThing> AllThings => Enum.GetValues<LimitThing>();

    public static string Word(this LimitScope scope) => Scopes[scope].Word;

    /// <summary>In the singular, as in "of this login".</summary>
    public static string Whose(this LimitScope scope) => Scopes[scope].Whose;

    public static string Word(this LimitThing thing) => Things[thing].Word;

    /// <summary>In the plural.</summary>
    public static string Noun(this LimitThing thing) => Things[thing].Things;

    public static bool TryScope(string word, out LimitScope scope)
    {
        foreach (var one in AllScopes)
        {
            scope = one;
            if (string.Equals(one.Word(), word, StringComparison.Ordinal))
                return true;
        }

        scope = default;
        return false;
    }

    public static bool TryThing(string word, out LimitThing thing)
    {
        foreach (var one in AllThings)
        {
            thing = one;
            if (string.Equals(one.Word(), word, StringComparison.Ordinal))
                return true;
        }

        thing = default;
        return false;
    }

    /// <summary>The name as it is counted under; false where nothing of that scope can have it.</summary>
    public static bool TryName(this LimitScope scope, string text, out string name)
    {
        name = text;
        switch (scope)
        {
            case LimitScope.Logins:
                return !text.Contains('#', StringComparison.Ordinal)
                    && !IPAddress.TryParse(text, out _)
                    && !IPNetwork.TryParse(text, out _)
                    && LoginNames.TryCanonical(text, out name!);
            case LimitScope.Credentials:
                return text.LastIndexOf('#') is > 0 and var mark
                    && int.TryParse(text.AsSpan(mark + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _)
                    && LoginNames.TryCanonical(text[..mark], out var owner)
                    && (name = owner + text[mark..]).Length > 0;
            case LimitScope.Tenants:
                name = text.ToLowerInvariant();
                return text.Length > 0 && !text.AsSpan().ContainsAny('@', '#', '/');
            case LimitScope.Addresses:
                return IPAddress.TryParse(text, out var address) && (name = AddressOf(address)).Length > 0;
            case LimitScope.Networks:
                return IPNetwork.TryParse(text, out var network) && (name = network.ToString()).Length > 0;
            case LimitScope.Devices:
                return text.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash
                    && slash < text.Length - 1
                    && DeviceTerms.IsName(text.AsSpan(0, slash));
            default:
                if (!Domain.TryParse(text, out var domain) || domain.Literal is not null || !text.Contains('.', StringComparison.Ordinal))
                    return false;
                name = domain.Text;
                return true;
        }
    }

    /// <summary>Whoever has one IPv6 address has its whole /64.</summary>
    internal static string AddressOf(IPAddress client) =>
        client.AddressFamily == AddressFamily.InterNetwork ? client.ToString() : NetworkOf(client, 64);

    /// <summary>The network of this width that an address is in.</summary>
    internal static string NetworkOf(IPAddress client, int bits)
    {
        Span<byte> octets = stackalloc byte[16];
        client.TryWriteBytes(octets, out var length);
        for (var i = 0; i < length; i++)
            octets[i] &= (byte)(0xFF << Math.Clamp(((i + 1) * 8) - bits, 0, 8));
        return $"{new IPAddress(octets[..length])}/{bits.ToString(CultureInfo.InvariantCulture)}";
    }
}
