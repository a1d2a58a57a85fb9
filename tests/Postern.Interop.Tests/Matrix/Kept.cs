namespace Postern.Interop.Tests.Matrix;

/// <summary>How a user of the matrix is kept, or what proves it.</summary>
/// <param name="Name">For the page, in Markdown.</param>
/// <param name="Domain">The users of this kind are those of this domain.</param>
internal sealed record Kept(string Name, string Domain)
{
    public static readonly Kept Directory = new("`directory`", "directory.test");
    public static readonly Kept DirectoryDigest = new("`directory`, `--form digest-md5`", "digest.directory.test");
    public static readonly Kept DirectoryShared = new("`directory`, `--form shared`", "shared.directory.test");
    public static readonly Kept File = new("`file:`, readable", "file.test");
    public static readonly Kept FileSha512 = new("`file:`, `scram-sha-512`", "sha512.file.test");
    public static readonly Kept FileSha1 = new("`file:`, `scram-sha-1`", "sha1.file.test");
    public static readonly Kept HtDigest = new("`digest:` by `htdigest`", "htdigest.test");
    public static readonly Kept Digest = new("`digest:` by `postern passwd`", "digest.test");
    public static readonly Kept TokenEs256 = new("a token, ES256", "es256.test");
    public static readonly Kept TokenRs256 = new("a token, RS256", "rs256.test");
    public static readonly Kept TokenAsked = new("a token, introspection", "introspected.test");
    public static readonly Kept Nowhere = new("nothing", "nowhere.test");

    public string User => $"lisa@{Domain}";

    /// <summary>Nobody has this name.</summary>
    public string Stranger => $"nobody@{Domain}";
}
