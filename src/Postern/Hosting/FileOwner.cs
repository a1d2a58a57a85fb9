namespace Postern.Hosting;

/// <summary>Keeps a file its owner's when root puts a new one in its place: the server that reads it is another user.</summary>
internal static class FileOwner
{
    /// <summary>Puts <paramref name="fresh"/>, which is complete, in the place of <paramref name="path"/>.</summary>
    /// <exception cref="IOException">The owner could not be kept; nothing was replaced.</exception>
    public static void Replace(string fresh, string path)
    {
        if (UserIdentity.IsRoot && UserIdentity.Look(path) is { User: not 0 } owner)
            UserIdentity.Give(fresh, owner.User, owner.Group);
        File.Move(fresh, path, overwrite: true);
    }
}
