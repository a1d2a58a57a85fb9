using Postern.Relay.Accounts.Stores.Web;

namespace Postern.Relay.Policy.Services;

/// <summary>Where a policy service is that is asked over HTTP, and with what: files alone, so that it can be shown.</summary>
/// <param name="KeyFile">What requests are signed with; null where they are not.</param>
/// <param name="TokenFile">A bearer token; null for none.</param>
internal sealed record HttpPlace(Uri Address, WebAccess Access, string? KeyFile, string? TokenFile)
{
    /// <summary>In clear on this machine alone: the questions say who writes to whom.</summary>
    public static ArgumentKind<Uri> Kind { get; } = new(
        "URL", "https://host/path, or http:// to an address of this machine, without password, '?' and '#'", TryParse);

    private static bool TryParse(string text, out Uri value)
    {
        var address = HttpAddress.Of(text, out _);
        value = address!;
        return address is not null && (address.Scheme == Uri.UriSchemeHttps || HttpAddress.IsHere(address));
    }
}
