using System.Text;

namespace Postern.Web.Parts;

/// <summary>Addresses of pages. Whatever a value holds, it stays one value: it cannot change where the address leads.</summary>
public static class PageUrl
{
    /// <summary>A page with parameters; those that are null or empty are left out.</summary>
    /// <param name="path">One of our own, from the root.</param>
    public static string Of(string path, params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var url = new StringBuilder(path);
        var separator = '?';
        foreach (var (name, value) in parameters)
        {
            if (string.IsNullOrEmpty(value))
                continue;
            url.Append(separator).Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }

        return url.ToString();
    }

    public static string OfMessage(string id) => $"/messages/{Uri.EscapeDataString(id)}";

    public static string OfReference(string reference) => Of("/explain", ("ref", reference));

    /// <summary>An address that a form brought, where it is one of ours; else the start.</summary>
    public static string Local(string? url) =>
        url is { Length: > 0 and < 2_048 } && url[0] == '/' && !url.StartsWith("//", StringComparison.Ordinal)
        && !url.Any(static c => char.IsControl(c) || c is '\\' or > '~')
            ? url
            : "/";
}
