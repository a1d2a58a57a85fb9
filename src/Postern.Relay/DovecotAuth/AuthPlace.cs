using System.Net;

namespace Postern.Relay.DovecotAuth;

/// <summary>Where servers reach the authentication service.</summary>
public abstract record AuthPlace
{
    private AuthPlace()
    {
    }

    /// <summary>A TCP endpoint; port 0 takes a free one.</summary>
    public sealed record Tcp(IPEndPoint Endpoint) : AuthPlace
    {
        /// <inheritdoc/>
        public override string ToString() => Endpoint.ToString();
    }

    /// <summary>A Unix socket: whoever the permissions of its file and of its directories let there can connect.</summary>
    /// <param name="Path">Absolute; at most 107 octets.</param>
    public sealed record Unix(string Path) : AuthPlace
    {
        /// <summary>Permissions of the file.</summary>
        public UnixFileMode Mode { get; init; } =
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

        /// <summary>The number of the user to whom the file is given; null for whoever runs the server.</summary>
        public uint? Owner { get; init; }

        /// <summary>The number of the group to which it is given; null for that of the server, or of the directory.</summary>
        public uint? Group { get; init; }

        /// <inheritdoc/>
        public override string ToString() => $"unix:{Path}";
    }
}
