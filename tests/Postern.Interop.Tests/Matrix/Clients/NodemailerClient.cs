using Postern.Interop.Tests.Server;

namespace Postern.Interop.Tests.Matrix.Clients;

/// <summary>nodemailer's connection.</summary>
internal sealed class NodemailerClient() : ScriptedClient("node", "nodemailer_login.mjs")
{
    public static readonly NodemailerClient Instance = new();

    public override string Name => "nodemailer";

    public override string? Missing => base.Missing ?? (Peer.HasNodePackage("nodemailer") ? null : "nodemailer");

    /// <summary>A token may have just expired: it takes a new one, here the same.</summary>
    public override int RefusalsBy(string mechanism) => mechanism == "XOAUTH2" ? 2 : 1;
}
