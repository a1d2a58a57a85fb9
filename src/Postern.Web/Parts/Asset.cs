using System.Collections.Immutable;
using System.IO.Compression;
using System.Security.Cryptography;

namespace Postern.Web.Parts;

/// <summary>One file, plain and compressed; what is compressed is made when it is asked for first.</summary>
public sealed class Asset
{
    /// <summary>The path above all of them.</summary>
    public const string Folder = "/assets/";

    /// <summary>The header field that lets a browser keep it.</summary>
    public const string CacheControl = "public, max-age=31536000, immutable";

    private const int HashDigits = 12;

    private readonly Lazy<byte[]> brotli;
    private readonly Lazy<byte[]> gzip;

    private Asset(string name, string contentType, byte[] content)
    {
        (Name, ContentType, Content) = (name, contentType, content);
        brotli = new(() => Pack(static to => new BrotliStream(to, CompressionLevel.SmallestSize)));
        gzip = new(() => Pack(static to => new GZipStream(to, CompressionLevel.SmallestSize)));
    }

    /// <summary>With the hash.</summary>
    public string Name { get; }

    public string Url => Folder + Name;

    public string ContentType { get; }

    public ReadOnlyMemory<byte> Content { get; }

    /// <param name="acceptEncoding">As the browser says it; null where it says nothing.</param>
    /// <returns>The octets to send, and the coding that they are in; null for none.</returns>
    public (ReadOnlyMemory<byte> Body, string? Encoding) For(string? acceptEncoding) =>
        Takes(acceptEncoding, "br") ? (brotli.Value, "br")
        : Takes(acceptEncoding, "gzip") ? (gzip.Value, "gzip")
        : (Content, null);

    internal static Asset Load(string file, string contentType)
    {
        using var stream = typeof(Asset).Assembly.GetManifestResourceStream($"Postern.Web.Assets.{file}")
            ?? throw new InvalidOperationException($"the asset {file} is not embedded");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        var hash = Convert.ToHexStringLower(SHA256.HashData(content))[..HashDigits];
        return new Asset($"{Path.GetFileNameWithoutExtension(file)}.{hash}{Path.GetExtension(file)}", contentType, content);
    }

    /// <summary>RFC 9110 §12.5.3, without weights but for the zero that forbids.</summary>
    private static bool Takes(string? acceptEncoding, string coding)
    {
        foreach (var item in (acceptEncoding ?? string.Empty).Split(',', StringSplitOptions.TrimEntries))
        {
            var parts = item.Split(';', StringSplitOptions.TrimEntries);
            if (parts[0].Equals(coding, StringComparison.OrdinalIgnoreCase))
                return parts.Length == 1 || !(parts[1] is "q=0" or "q=0.0" or "q=0.00" or "q=0.000");
        }

        return false;
    }

    private byte[] Pack(Func<Stream, Stream> coder)
    {
        using var packed = new MemoryStream();
        using (var coded = coder(packed))
            coded.Write(Content.Span);
        return packed.ToArray();
    }
}

/// <summary>
/// The files that pages need: one script, one style, one picture. Each has the hash of its content in its name, so that a browser may keep
/// it for good.
/// </summary>
public static class AssetFiles
{
    public static Asset Script { get; } = Asset.Load("console.js", "text/javascript; charset=utf-8");

    public static Asset Style { get; } = Asset.Load("console.css", "text/css; charset=utf-8");

    public static Asset Mark { get; } = Asset.Load("mark.svg", "image/svg+xml");

    public static ImmutableArray<Asset> All { get; } = [Script, Style, Mark];

    /// <param name="name">The last part of the address.</param>
    /// <returns>Null where there is none of that name, and for one of another version.</returns>
    public static Asset? Find(string name) => All.FirstOrDefault(asset => asset.Name == name);
}
