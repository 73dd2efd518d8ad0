/** How the keys of one issuer look. */
export interface SecretFormat {
  readonly name: string;
  /** What each of them begins with: found first, so that a text without it costs next to nothing. */
  readonly prefixes: readonly string[];
  /** What has to follow, the prefix included; sticky. */
  readonly pattern: RegExp;
}

const format = (name: string, prefixes: string | readonly string[], pattern: RegExp): SecretFormat => ({
  name,
  prefixes: typeof prefixes === "string" ? [prefixes] : prefixes,
  pattern,
});

/**
 * Formats of keys that are recognised by what they begin with. No match is longer than `LONGEST_SECRET`, and none but the last two spans white space.
 * Source: the issuers' documentation, and the rules of gitleaks 8.24 (config/gitleaks.toml) and secretlint 11.7 where an issuer says nothing.
 */
export const secretFormats: readonly SecretFormat[] = [
  format("aws_access_key", ["AKIA", "ASIA", "ABIA", "ACCA"], /A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])/y),
  format("openai_key", ["sk-proj-", "sk-svcacct-", "sk-admin-"], /sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,250}/y),
  format("anthropic_key", "sk-ant-", /sk-ant-[A-Za-z0-9_-]{20,250}/y),
  format("openrouter_key", "sk-or-", /sk-or-v1-[0-9a-f]{64}/y),
  format("sk_key", "sk-", /sk-[A-Za-z0-9]{20,120}(?![A-Za-z0-9])/y),
  format("google_api_key", "AIza", /AIza[0-9A-Za-z_-]{35}/y),
  format("google_oauth_token", "ya29.", /ya29\.[0-9A-Za-z_-]{20,2000}/y),
  format("google_client_secret", "GOCSPX-", /GOCSPX-[0-9A-Za-z_-]{28}/y),
  format("github_token", ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], /gh[pousr]_[A-Za-z0-9]{36,255}/y),
  format("github_pat", "github_pat_", /github_pat_[A-Za-z0-9_]{36,255}/y),
  format("gitlab_token", ["glpat-", "gldt-", "glrt-", "glptt-"], /gl(?:pat|dt|rt|ptt)-[A-Za-z0-9_.-]{20,300}/y),
  format("slack_token", ["xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-", "xoxo-"], /xox[abeoprs]-[A-Za-z0-9-]{10,250}/y),
  format("slack_app_token", "xapp-", /xapp-\d-[A-Z0-9]{1,20}-\d{1,20}-[A-Za-z0-9]{1,80}/y),
  format("slack_webhook", "https://hooks.slack.com/services/", /https:\/\/hooks\.slack\.com\/services\/[A-Za-z0-9+/]{30,80}/y),
  format("stripe_key", ["sk_live_", "sk_test_", "rk_live_", "rk_test_"], /[sr]k_(?:live|test)_[A-Za-z0-9]{10,247}/y),
  format("webhook_secret", "whsec_", /whsec_[A-Za-z0-9+/=]{24,120}/y),
  format("sendgrid_key", "SG.", /SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}/y),
  format("twilio_key", "SK", /SK[0-9a-f]{32}(?![A-Za-z0-9])/y),
  format("mailgun_key", "key-", /key-[0-9a-f]{32}(?![A-Za-z0-9])/y),
  format("npm_token", "npm_", /npm_[A-Za-z0-9]{36}/y),
  format("pypi_token", "pypi-", /pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,1000}/y),
  format("huggingface_token", "hf_", /hf_[A-Za-z0-9]{34,60}/y),
  format("groq_key", "gsk_", /gsk_[A-Za-z0-9]{40,80}/y),
  format("xai_key", "xai-", /xai-[A-Za-z0-9]{70,100}/y),
  format("perplexity_key", "pplx-", /pplx-[A-Za-z0-9]{40,60}/y),
  format("replicate_token", "r8_", /r8_[A-Za-z0-9]{37,40}/y),
  format("linear_key", "lin_api_", /lin_api_[A-Za-z0-9]{40}/y),
  format("onepassword_token", "ops_eyJ", /ops_eyJ[A-Za-z0-9+/]{200,4000}={0,3}/y),
  format("shopify_token", ["shpat_", "shpca_", "shppa_", "shpss_"], /shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}/y),
  format("digitalocean_token", ["dop_v1_", "doo_v1_", "dor_v1_"], /do[opr]_v1_[a-f0-9]{64}/y),
  format("databricks_token", "dapi", /dapi[a-f0-9]{32}(?:-\d)?(?![A-Za-z0-9])/y),
  format("vault_token", ["hvs.", "hvb."], /hv[sb]\.[A-Za-z0-9_-]{24,300}/y),
  format("gateway_key", "spk_", /spk_[a-z0-9]{1,20}_[A-Za-z0-9]{1,40}_[A-Za-z0-9_-]{20,200}/y),
  format("jwt", "eyJ", /eyJ[A-Za-z0-9_-]{10,1500}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}/y),
  format(
    "url_password",
    ["http", "postgres", "mysql", "mariadb", "mongodb", "redis", "amqp", "ftp", "sftp", "ldap", "smtp", "mssql"],
    /(?:https?|postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|s?ftp|ldaps?|smtps?|mssql):\/\/[^\s/:@"'<>]{0,128}:[^\s/@"'<>]{1,256}@[^\s"'<>/]{1,256}/y,
  ),
  format(
    "aws_secret_key",
    ["aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "secretAccessKey", "SecretAccessKey"],
    /[A-Za-z_]{15,21}["'\s:=>]{1,10}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/y,
  ),
  format("azure_storage_key", "AccountKey=", /AccountKey=\s{0,3}[A-Za-z0-9+/]{86}==/y),
];

/** Private keys have a beginning and an end of their own. */
export const PEM = "private_key";
export const LONGEST_SECRET = 6_600;
/** None of those that may have white space within is longer. */
export const LONGEST_SPACED_SECRET = 110;
