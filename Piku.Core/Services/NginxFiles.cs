using Piku.Core.Model;

namespace Piku.Core.Services;

/// <summary>Where an installation's nginx keeps its things; its sites are in <see cref="PikuPaths.NginxRoot"/>.</summary>
public sealed record NginxFiles(PikuPaths Paths)
{
    public string Folder => Path.Combine(Paths.Run, "nginx");

    public string Config => In("nginx.conf");

    /// <summary>Included by <see cref="Config"/>: one include for each site that nginx has accepted.</summary>
    public string SiteList => In("sites.conf");

    public string ProcessIdFile => In("nginx.pid");

    public string Log => In("error.log");

    /// <summary>Bodies and answers too large for memory.</summary>
    public string Temporary => In("temporary");

    /// <summary>For names that no site has.</summary>
    public string DefaultCertificate => In("default.crt");

    public string DefaultCertificateKey => In("default.key");

    /// <summary>Held while sites change.</summary>
    public string Lock => In("lock");

    /// <summary>What is being tried: a site, the list with it, and the configuration with that list.</summary>
    public string CandidateSite => In("candidate-site.conf");

    public string CandidateList => In("candidate-sites.conf");

    public string CandidateConfig => In("candidate-nginx.conf");

    private string In(string name) => Path.Combine(Folder, name);
}
